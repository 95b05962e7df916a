# The small model that comes along.
about-small = It is a small model that comes along for trying me out: it speaks English only, and is often wrong.
small-slow = My small model did not get to an answer within half a minute: this machine is busy, or there is much to read. Please ask for less, or again in a moment.
small-newest = My small model reads little at a time: this is about the newest { $count ->
    [one] message
   *[other] { $count } messages
} only.
