"""What a training computes on: GPUs where there are some, else the cores of the processor."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

import keras
import tensorflow as tf

from fkd.training.config import Precision

_CPU_DEVICES = {"2", "3", "4"}


def resolve_precision(wanted: Precision, model: str) -> str:
    """The Keras policy for ``wanted``. ``auto`` takes half precision where the hardware has
    arithmetic of its own for it: there it is faster, elsewhere slower."""
    if wanted == "auto":
        if tf.config.list_physical_devices("GPU"):
            wanted = "float16"
        elif model != "baseline" and _has_bfloat16():
            wanted = "bfloat16"
        else:
            wanted = "float32"
    return wanted if wanted == "float32" else f"mixed_{wanted}"


def _has_bfloat16() -> bool:
    with suppress(OSError):
        flags = Path("/proc/cpuinfo").read_text()
        return "avx512_bf16" in flags or "amx_bf16" in flags
    return False


def set_precision(policy: str) -> None:
    keras.mixed_precision.set_dtype_policy(policy)


def start_sooner() -> None:
    """Leave graphs as they are traced. On a processor TensorFlow spends seconds on rewriting that
    of a training before its first batch, and no batch is faster for it."""
    if not tf.config.list_physical_devices("GPU"):
        tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})


def strategy() -> tf.distribute.Strategy:
    """All GPUs of this machine together, or one, or the processor.

    ``FKD_CPU_DEVICES=2`` takes the processor for two devices, to try what several GPUs would do.
    """
    wanted = os.environ.get("FKD_CPU_DEVICES", "")
    if wanted in _CPU_DEVICES:
        processor = tf.config.list_physical_devices("CPU")[0]
        parts = [tf.config.LogicalDeviceConfiguration()] * int(wanted)
        tf.config.set_logical_device_configuration(processor, parts)
        return tf.distribute.MirroredStrategy(tf.config.list_logical_devices("CPU"))
    gpus = tf.config.list_logical_devices("GPU")
    if len(gpus) > 1:
        return tf.distribute.MirroredStrategy(gpus)
    return tf.distribute.get_strategy()


def in_words(used: tf.distribute.Strategy) -> str:
    """What computes, in which precision, with which versions."""
    device = "GPU" if tf.config.list_physical_devices("GPU") else "processor"
    if used.num_replicas_in_sync > 1:
        device = f"{used.num_replicas_in_sync} devices"
    return (
        f"{keras.mixed_precision.dtype_policy().name}, {device}, "
        f"TensorFlow {tf.__version__}, Keras {keras.__version__}"
    )
