"""Many identities and videos from one file: plans, their units of work, and who does them."""
