"""One file per layout that data sets come in; a new one is a ``Source`` and its line here."""

from secondlook.data.sources.folders import FOLDERS
from secondlook.data.sources.ham10000 import HAM10000
from secondlook.data.sources.isic import ISIC
from secondlook.data.sources.layout import Source

SOURCES: dict[str, Source] = {source.name: source for source in (HAM10000, ISIC, FOLDERS)}
