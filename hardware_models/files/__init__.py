"""The one way in for files: within limits, checked before use, every failure one sentence, its SHA-256 noted for the run."""

from hardware_models.files.npz import MOST_HEADER as MOST_HEADER
from hardware_models.files.npz import MOST_MEMBERS as MOST_MEMBERS
from hardware_models.files.npz import arrays as arrays
from hardware_models.files.shapes import SOME as SOME
from hardware_models.files.shapes import shaped as shaped
from hardware_models.files.way_in import LARGE as LARGE
from hardware_models.files.way_in import MOST_PARTS as MOST_PARTS
from hardware_models.files.way_in import MOST_TOML as MOST_TOML
from hardware_models.files.way_in import SMALL as SMALL
from hardware_models.files.way_in import Table as Table
from hardware_models.files.way_in import contents as contents
from hardware_models.files.way_in import gunzip as gunzip
from hardware_models.files.way_in import home as home
from hardware_models.files.way_in import json_object as json_object
from hardware_models.files.way_in import note as note
from hardware_models.files.way_in import note_digest as note_digest
from hardware_models.files.way_in import noted_as as noted_as
from hardware_models.files.way_in import opening as opening
from hardware_models.files.way_in import packaged as packaged
from hardware_models.files.way_in import reading as reading
from hardware_models.files.way_in import record as record
from hardware_models.files.way_in import text as text
from hardware_models.files.way_in import toml as toml
from hardware_models.files.way_in import toml_value as toml_value
