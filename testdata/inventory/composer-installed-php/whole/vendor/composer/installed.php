<?php return array(
    'root' => array(
        'name' => 'acme/app',
        'pretty_version' => 'dev-main',
        'version' => 'dev-main',
        'reference' => null,
        'type' => 'project',
        'install_path' => __DIR__ . '/../../',
        'aliases' => array(),
        'dev' => true,
    ),
    'versions' => array(
        'acme/app' => array(
            'pretty_version' => 'dev-main',
            'version' => 'dev-main',
            'reference' => null,
            'type' => 'project',
            'install_path' => __DIR__ . '/../../',
            'aliases' => array(),
            'dev_requirement' => false,
        ),
        'acme/log' => array(
            'pretty_version' => 'v1.4.2',
            'version' => '1.4.2.0',
            'reference' => '00',
            'type' => 'library',
            'install_path' => __DIR__ . '/../acme/log',
            'aliases' => array(
                0 => '1.x-dev',
            ),
            'dev_requirement' => false,
        ),
        'acme/log-implementation' => array(
            'dev_requirement' => false,
            'provided' => array(
                0 => '1.0',
            ),
        ),
        'acme/testing' => array(
            'pretty_version' => '9.6.0',
            'version' => '9.6.0.0',
            'reference' => '00',
            'type' => 'library',
            'install_path' => __DIR__ . '/../acme/testing',
            'aliases' => array(),
            'dev_requirement' => true,
        ),
    ),
);
