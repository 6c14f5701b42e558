"""The files a dataset comes and goes in: Kaggle's tables, read with every mistake named."""

from fkd.dataset import Lookup
from fkd.formats.kaggle_images import (
    ImageBatch,
    read_test,
    read_training,
    write_test,
    write_training,
)
from fkd.formats.kaggle_tables import (
    Submission,
    full_lookup,
    read_lookup,
    read_submission,
    write_lookup,
    write_submission,
)
from fkd.formats.report import Problem, Report, ValidationError
from fkd.formats.source import Kind, TableSource, open_table

__all__ = [
    "ImageBatch",
    "Kind",
    "Lookup",
    "Problem",
    "Report",
    "Submission",
    "TableSource",
    "ValidationError",
    "full_lookup",
    "open_table",
    "read_lookup",
    "read_submission",
    "read_test",
    "read_training",
    "write_lookup",
    "write_submission",
    "write_test",
    "write_training",
]
