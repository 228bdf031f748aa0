// The build for networks that reach JetBrains' repositories: `gradle -p editors/jetbrains buildPlugin verifyPlugin`
// compiles against the platform itself and asks the plugin verifier (.github/workflows/test.yml). Everything else
// of the project builds the plugin by scripts/jetbrains.ts.

pluginManagement {
    repositories {
        gradlePluginPortal()
        mavenCentral()
    }
}

rootProject.name = "mirrord-jetbrains"
include("core")
project(":core").projectDir = file("src/core")
