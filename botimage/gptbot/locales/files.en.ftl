# Files that people send, and why one is not read
file-can-text = text and code files
file-can-image = images
file-can-audio = voice messages
file-kind = I cannot open that kind of file. What I can read: { $can }.
file-large =
    That file is too large for me. I take text files of up to { $text } MB, images of up to { $image } MB, and recordings of up to { $audio } MB and { $minutes } minutes.
file-broken = I could not make out what is in that file. What I can read: { $can }.
file-gone = I could not get that file. Please send it again.
file-silent = I heard no words in that recording. Please say it again, or write to me.
file-many = I look at up to { $files } files at a time; please send the others again.

# What is no file and cannot be read either
unread-location = Places on a map do not reach me. Tell me the name of the place, or ask about it in words.
unread-contact = I leave contact cards unread: they are somebody's personal data. Ask me in words, without names and numbers.
unread-story = I cannot open stories. Tell me what it shows, or send me its text.
unread-message = I cannot read that kind of message. Please tell me in words what it is about.
