package = 'gamma' -- by hand
local version = '0.1-2';
