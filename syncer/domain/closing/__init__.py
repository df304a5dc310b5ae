"""Both books compared for a period, to the cent: what `reconcile` tells, from values alone."""
