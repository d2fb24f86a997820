module pace

go 1.21
