<?php
/**
 * @package Alpha
 */
/*
Plugin Name: Alpha Forms
Plugin URI: https://alpha.example.com/
Version: 5.3.1
Author: Acme
*/
