# Read by the job before the server starts: a free port, and the secret without which nobody gets in.
port=$(find_port "$host") || clean_up 1
password=$(create_passwd 32)
export ONDEMAND_SECRET="$password" # by the environment, for arguments are seen by everyone on the node
