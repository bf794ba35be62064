# Read by the job once the server is on its way: OnDemand shows the way in when this ends.
echo "Waiting for the server to listen on $host, port $port..."
waited=0
until (: <"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do
    if ! kill -0 "$SCRIPT_PID" 2>/dev/null; then
        echo "The server has ended; what it said is above."
        clean_up 1
    fi
    waited=$((waited + 1))
    if [ "$waited" -gt 1200 ]; then
        echo "The server does not listen after ten minutes; what it said is above."
        clean_up 1
    fi
    sleep 0.5
done
