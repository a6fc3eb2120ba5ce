<?php
/* Plugin Name: Beta */
