"""What a refusal of Kaggle's means for the user: one sentence, and what to do, with Kaggle or without."""

from typing import Any

from xrgan.data.source import Source
from xrgan.errors import XrganError

TOKEN_HELP = (
    "For a token, press `Generate New Token` at https://www.kaggle.com/settings/api, then set KAGGLE_API_TOKEN to it "
    "or save it as ~/.kaggle/access_token."
)


def from_store(error: Any) -> bool:
    """Kaggle sends a download on, to the address of a store that it has signed."""
    return bool(error.response.history)


def status_of(error: Any) -> int:
    return int(error.response.status_code)


def refusal(api: Any, source: Source, error: Any) -> XrganError:
    """What an answer of 400 or more means for the user."""
    status = status_of(error)
    if status in {401, 403} and not _has_credentials(api):
        return no_credentials(source)
    if status == 401:
        return XrganError(
            "Kaggle refused the credentials of this machine (401).",
            f"{TOKEN_HELP} {_rules(source)}{_without_kaggle(source)}",
        )
    if status == 403:
        terms = _rules(source) or f"Accept its terms at {source.url}, signed in as the owner of the token. "
        return XrganError(
            f"Kaggle doesn't give {source.name} to this account (403).",
            f"{terms}Then run the command again. {_without_kaggle(source)}",
        )
    if status == 404:
        return XrganError(
            f"Kaggle has no {source.kind} {source.slug} (404).",
            f"It may have moved: look for it at https://www.kaggle.com. {_without_kaggle(source)}",
        )
    if status == 429:
        wait = error.response.headers.get("Retry-After", "")
        after = f"in {wait} seconds" if wait.isdigit() else "in a few minutes"
        return XrganError(
            "Kaggle was asked too often (429).", f"Run the command again {after}. {_without_kaggle(source)}"
        )
    return XrganError(f"Kaggle answered with an error ({status}).", later(source))


def no_credentials(source: Source) -> XrganError:
    return XrganError(
        f"Kaggle wants credentials for {source.name}, and this machine has none that can be read.",
        f"{TOKEN_HELP} {_rules(source)}{_without_kaggle(source)}",
    )


def unreachable(api: Any, source: Source, cause: BaseException | None) -> XrganError:
    """What it means that a request, or the last of several attempts, ended so."""
    import requests

    reasons = {
        requests.exceptions.ProxyError: "the proxy doesn't let it through",
        requests.exceptions.SSLError: "its certificate is not trusted; REQUESTS_CA_BUNDLE can name your proxy's",
        requests.exceptions.Timeout: "no answer came in time",
    }
    if isinstance(cause, requests.HTTPError):
        return XrganError(f"Kaggle's store answers with an error ({status_of(cause)}).", later(source))
    reason = next((text for kind, text in reasons.items() if isinstance(cause, kind)), "no connection")
    token = "" if _has_credentials(api) else f"There are no Kaggle credentials here either. {TOKEN_HELP} "
    return XrganError(
        f"Kaggle can't be reached from this machine: {reason}.",
        f"With a network, run the command again: it goes on where it stopped. {token}{_without_kaggle(source)}",
    )


def _rules(source: Source) -> str:
    """The step that only a competition asks for."""
    if source.kind != "competition":
        return ""
    return f"Accept the competition's rules at {source.url}/rules, signed in as the owner of the token. "


def later(source: Source) -> str:
    return f"Run the command again later: it goes on where it stopped. {_without_kaggle(source)}"


def _has_credentials(api: Any) -> bool:
    from kaggle.api.kaggle_api_extended import get_access_token_from_env

    return bool(api.config_values.get(api.CONFIG_NAME_AUTH_METHOD) or get_access_token_from_env()[0])


def _without_kaggle(source: Source) -> str:
    return (
        f"Without Kaggle on this machine: download {source.url} elsewhere, then "
        f"`xrgan fetch {source.name} --archive FILE.zip` (or `--folder DIR`, unpacked)."
    )
