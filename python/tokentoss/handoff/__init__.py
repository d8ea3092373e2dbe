"""The hand-off between the page and the kernel: tickets, sealing, registrations and envelopes."""
