module go_folder

go 1.21
