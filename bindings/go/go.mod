module libitem.invalid/go/item

go 1.19
