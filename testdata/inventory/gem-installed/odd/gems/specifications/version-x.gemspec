# stub: version latest! ruby lib
