"""What is well and what is not: checks that run in the background, one report for everybody who asks."""
