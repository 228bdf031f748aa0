// A look-alike of the IDE's own, as far as the plugin reads it by name.

package com.jetbrains.rider.run.configurations.project;

public class DotNetProjectConfiguration {}
