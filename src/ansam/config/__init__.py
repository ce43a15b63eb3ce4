"""The configuration: one TOML file, read into frozen dataclasses; every fault named with its place."""

from ansam.config.load import load, parse
from ansam.config.settings import Config, ExchangeConfig, Listen, LogConfig, ModemConfig

__all__ = ["Config", "ExchangeConfig", "Listen", "LogConfig", "ModemConfig", "load", "parse"]
