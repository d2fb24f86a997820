module eider.dev/story

go 1.22
