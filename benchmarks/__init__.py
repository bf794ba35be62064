"""Speed, shown by paired runs: the two sides alternate in one run, and the table has the ratio of medians."""
