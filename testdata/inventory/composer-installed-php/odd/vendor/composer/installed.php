<?php return array(
    'root' => array(
        'name' => 'acme/app',
    ),
    'versions' => array(
        'acme/nothing' => array(
            'dev_requirement' => false,
        ),
        'acme/branch' => array(
            'pretty_version' => 'dev-main',
            'dev_requirement' => false,
        ),
          'acme/astray' => array(
