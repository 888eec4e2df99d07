import os
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, field_validator
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SecretsSettingsSource,
    SettingsConfigDict,
)


def split_list(value: Any) -> Any:  # noqa: ANN401 - any raw value of a setting
    """Split a comma-separated string; return any other value unchanged."""
    if not isinstance(value, str):
        return value
    return tuple(part.strip() for part in value.split(",") if part.strip())


class EnvironmentSettings(BaseSettings):
    """Reads a setting from its variable, else from the file of that name in `SECRETS_DIRS`.

    An empty variable counts as unset: `compose.yaml` passes every variable on, set or not.
    """

    model_config = SettingsConfigDict(
        extra="ignore", frozen=True, hide_input_in_errors=True, env_ignore_empty=True
    )

    secrets_dirs: Annotated[tuple[Path, ...], NoDecode, BeforeValidator(split_list)] = ()

    @field_validator("secrets_dirs")
    @classmethod
    def _require_directories(cls, paths: tuple[Path, ...]) -> tuple[Path, ...]:
        for path in paths:
            if not path.is_dir():
                raise ValueError(f"{path} is not a directory")
        return paths

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Add the existing directories of `SECRETS_DIRS`; the validator reports missing ones."""
        paths = map(Path, split_list(os.environ.get("SECRETS_DIRS", "")))
        directories = [path for path in paths if path.is_dir()]
        return init_settings, env_settings, SecretsSettingsSource(settings_cls, directories)
