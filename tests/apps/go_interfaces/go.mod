module go_interfaces

go 1.21
