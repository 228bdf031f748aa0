module example.test/go_http

go 1.21
