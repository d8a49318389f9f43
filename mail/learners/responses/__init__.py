"""Interactive learners in which each seat meets a response to its present policy: MAIL-BRO and MURMAIL."""
