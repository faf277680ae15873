"""`python -m service.cli …`"""

from service.cli.commands import firstword
from service.cli.opening import plainly

plainly(firstword)
