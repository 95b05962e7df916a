# Asks the store of this pod with PING. Alive is what answers, but for BUSY; ready is what answers PONG.
export VALKEYCLI_AUTH="$STORE_PASSWORD" REDISCLI_AUTH="$STORE_PASSWORD"
answer=$(timeout 3 valkey-cli --no-auth-warning -h localhost -p 6379 PING 2>&1) || answer="the store does not answer: $answer"
case "$1 $answer" in
  *" PONG") ;;
  "ready "* | *" the store does not answer"* | *" BUSY"* | "alive ") echo "$answer"; exit 1 ;;
esac
