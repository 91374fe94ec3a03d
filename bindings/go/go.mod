module github.com/blockqueue/blockqueue/bindings/go

go 1.24
