"""What bench/run stands on: contenders as child processes with their CPU time, load by wrk, and the report."""
