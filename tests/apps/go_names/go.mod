module go_names

go 1.21
