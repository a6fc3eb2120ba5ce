# stub: odd/name 1.0.0 ruby lib
