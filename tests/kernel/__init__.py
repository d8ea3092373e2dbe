"""The kernel's side under attack: real servers, real processes, faults, crashes and races."""
