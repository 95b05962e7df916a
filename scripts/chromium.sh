#!/bin/sh
# Prints where Chromium is, for the tests of the web page. On Debian and Ubuntu it is installed when missing, if root asks.
set -eu
for name in "${CHROMIUM:-chromium}" chromium-browser google-chrome google-chrome-stable; do
  if found=$(command -v "$name"); then
    echo "$found"
    exit 0
  fi
done
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  echo "» installing Chromium" >&2
  # Ubuntu's package of that name only leads to a snap, which a container cannot run; then the last line below speaks.
  { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium; } >&2
  command -v chromium && exit 0
fi
echo "chromium: not found. The tests of the web page need it: install Chromium or Chrome (Debian: apt-get install chromium)," >&2
echo "chromium: or set CHROMIUM to the program." >&2
exit 1
