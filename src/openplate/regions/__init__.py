"""Countries and their parts: codes, names, the forms of their plates, and what these say about a reading."""

from openplate.regions.guidance import certain, combine, guide, guide_reading, region_likelihood
from openplate.regions.notation import Fit, fit, is_open, matches, patterns, regions_matching
from openplate.regions.table import Region, all_regions, codes, countries, get, is_code, subdivisions
from openplate.regions.text_formats import TextFormat, parse_text_format, parse_text_formats

__all__ = [
    "Fit",
    "Region",
    "TextFormat",
    "all_regions",
    "certain",
    "codes",
    "combine",
    "countries",
    "fit",
    "get",
    "guide",
    "guide_reading",
    "is_code",
    "is_open",
    "matches",
    "parse_text_format",
    "parse_text_formats",
    "patterns",
    "region_likelihood",
    "regions_matching",
    "subdivisions",
]
