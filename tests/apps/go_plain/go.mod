module go_plain

go 1.21
