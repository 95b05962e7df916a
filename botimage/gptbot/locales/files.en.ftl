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
