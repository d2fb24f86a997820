module example.com/send

go 1.21
