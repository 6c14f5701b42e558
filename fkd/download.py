"""Fetch the competition's files from Kaggle, through Kaggle's own client (the ``kaggle`` extra)."""

from __future__ import annotations

import tarfile
import tempfile
import zipfile
from pathlib import Path
from typing import Any

from fkd.errors import UserError

COMPETITION = "facial-keypoints-detection"
RULES = f"https://www.kaggle.com/competitions/{COMPETITION}/rules"
DATA = f"https://www.kaggle.com/competitions/{COMPETITION}/data"

_BY_HAND = (
    f"Or download the files in a browser from {DATA} and run: fkd ingest kaggle FOLDER_OR_ZIP"
)


def download_competition(folder: Path) -> Path:
    """Download and unpack the competition's files into ``folder`` and return it.

    Blocks until all is there. ``folder`` is made if it does not exist; when the download fails
    nothing of it stays there.

    Raises:
        UserError: the folder is not empty, the client is not installed, there are no credentials,
            the rules have not been accepted, or Kaggle cannot be reached; the message says what
            to do about it.
    """
    # What else lies in the folder could be taken for a downloaded table afterwards.
    if folder.is_dir() and any(not entry.name.startswith(".") for entry in folder.iterdir()):
        raise UserError(
            f"The folder {folder} is not empty. Choose a new one, "
            f"or ingest what it holds: fkd ingest NAME {folder}"
        )
    try:
        import kagglehub
        import requests
        from kagglehub import exceptions
        from kagglehub.config import get_kaggle_credentials
    except ImportError:
        raise UserError(
            f"Downloading needs Kaggle's client: pip install '.[kaggle]'. {_BY_HAND}"
        ) from None
    try:
        has_credentials = get_kaggle_credentials() is not None
    except ValueError as error:
        raise UserError(
            f"{error}; download a new kaggle.json from kaggle.com/settings. {_BY_HAND}"
        ) from None
    if not has_credentials:
        raise UserError(
            "No Kaggle credentials found. Create an API token on kaggle.com/settings and put it "
            "into the environment variable KAGGLE_API_TOKEN (or save kaggle.json as "
            f"~/.kaggle/kaggle.json), accept the rules at {RULES}, then try again. {_BY_HAND}"
        )
    folder.mkdir(parents=True, exist_ok=True)
    # The client deletes the folder it is given when it finds an older download there, and stops
    # at one that was interrupted: it gets a fresh one.
    with tempfile.TemporaryDirectory(prefix=".download-", dir=folder) as fresh:
        try:
            kagglehub.competition_download(COMPETITION, output_dir=fresh)
        except (exceptions.UnauthenticatedError, exceptions.CredentialError) as error:
            raise UserError(
                f"Kaggle did not accept the credentials: {_first_line(error)}"
            ) from None
        except exceptions.KaggleApiHTTPError as error:
            raise UserError(f"{_answer(error)}. {_BY_HAND}") from None
        except requests.exceptions.RequestException as error:
            raise UserError(
                f"Kaggle cannot be reached ({type(error).__name__}); check the network. {_BY_HAND}"
            ) from None
        except exceptions.BackendError as error:
            raise UserError(f"The download failed: {_first_line(error)} Try again.") from None
        except (
            *(exceptions.DataCorruptionError, zipfile.BadZipFile, tarfile.TarError),
            ValueError,
        ):
            raise UserError(
                f"What arrived from Kaggle is damaged or no archive; try again. {_BY_HAND}"
            ) from None
        for file in Path(fresh).iterdir():
            if not file.name.startswith("."):
                file.rename(folder / file.name)
    return folder


def _answer(error: Any) -> str:
    """What Kaggle's HTTP status means and asks for."""
    status = error.response.status_code if error.response is not None else 0
    advice = {
        401: "the credentials are not valid; create a new token on kaggle.com/settings",
        403: f"the competition's rules must be accepted first, at {RULES}",
        404: "the competition's files were not found",
        429: "too many requests; wait some minutes and try again",
    }
    return f"Kaggle answered {status or 'an error'}: {advice.get(status, 'try again later')}"


def _first_line(error: Exception) -> str:
    return next((line.strip() for line in str(error).splitlines() if line.strip()), "unknown cause")
