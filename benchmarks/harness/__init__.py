"""The benchmark harness: builds nnc, prepares the peers, checks that all compute the same, measures, reports."""
