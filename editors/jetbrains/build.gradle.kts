// See settings.gradle.kts. The oldest IDE that plugin.xml allows is what the plugin is compiled against.

import org.jetbrains.intellij.platform.gradle.IntelliJPlatformType
import org.jetbrains.intellij.platform.gradle.models.ProductRelease

plugins {
    java
    id("org.jetbrains.intellij.platform") version "2.16.0"
}

version = Regex("\"version\": \"([^\"]+)\"").find(file("../../deno.json").readText())!!.groupValues[1]

repositories {
    mavenCentral()
    intellijPlatform {
        defaultRepositories()
    }
}

// Rider's classes are in Rider alone, so its part is compiled against the stubs.
val riderStubs: SourceSet by sourceSets.creating {
    java.srcDir("stubs/rider")
}

sourceSets.main {
    java.setSrcDirs(listOf("src/ide/java"))
    resources.setSrcDirs(listOf("src/ide/resources"))
    compileClasspath += riderStubs.output
}

configurations[riderStubs.compileClasspathConfigurationName].extendsFrom(configurations.compileClasspath.get())

dependencies {
    implementation(project(":core"))
    intellijPlatform {
        intellijIdeaUltimate("2024.1.7")
        bundledPlugins("com.intellij.java", "JavaScript", "NodeJS")
        compatiblePlugins("Pythonid", "org.jetbrains.plugins.go", "org.jetbrains.plugins.ruby")
        pluginVerifier()
    }
}

java {
    toolchain.languageVersion = JavaLanguageVersion.of(17)
}

tasks.processResources {
    from("../vscode/mirrord.schema.json")
}

intellijPlatform {
    buildSearchableOptions = false
    instrumentCode = false
    pluginConfiguration {
        version = project.version.toString()
        ideaVersion.untilBuild = provider { null }
    }
    pluginVerification.ides {
        // The newest release of each product: an IDE is a download of a gigabyte.
        select {
            types = listOf(
                IntelliJPlatformType.IntellijIdea,
                IntelliJPlatformType.PyCharm,
                IntelliJPlatformType.GoLand,
                IntelliJPlatformType.WebStorm,
                IntelliJPlatformType.RubyMine,
                IntelliJPlatformType.Rider,
                IntelliJPlatformType.PhpStorm,
            )
            channels = listOf(ProductRelease.Channel.RELEASE)
            sinceBuild = "253"
            untilBuild = "253.*"
        }
    }
}
