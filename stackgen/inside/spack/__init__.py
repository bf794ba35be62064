"""What runs inside `spack python`: the machine that stands in for ours, and the questions put to Spack."""
