Package: half
Status: install ok inst