"""What stands in the way of a sign-in on this machine; it shows no secret and changes nothing."""

from tokentoss.doctor.examination import examine
from tokentoss.doctor.finding import Finding, Level, Section

__all__ = ["Finding", "Level", "Section", "examine"]
