<?php return include 'other.php';
