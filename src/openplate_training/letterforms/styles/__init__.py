"""The styles, one module for each group of countries."""

from openplate_training.letterforms.styles.american import ARGENTINE, US_PRESSED
from openplate_training.letterforms.styles.asian import INDIAN, INDONESIAN
from openplate_training.letterforms.styles.british import CHARLES_WRIGHT, MANDATORY
from openplate_training.letterforms.styles.german import DIN, FE

ALL_STYLES = (FE, DIN, MANDATORY, CHARLES_WRIGHT, ARGENTINE, US_PRESSED, INDIAN, INDONESIAN)
