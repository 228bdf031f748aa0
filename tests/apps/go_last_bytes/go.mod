module example.test/go_last_bytes

go 1.21
