// What knows no IDE, and its unit tests: their look-alikes of the IDE's types must not meet the real ones.

plugins {
    `java-library`
}

repositories {
    mavenCentral()
}

sourceSets.main {
    java.setSrcDirs(listOf("java"))
}

sourceSets.test {
    java.setSrcDirs(listOf("../test/java"))
}

dependencies {
    implementation("com.google.code.gson:gson:2.11.0")
    testImplementation("org.junit.jupiter:junit-jupiter:5.11.4")
    testImplementation("com.google.code.gson:gson:2.11.0")
    testRuntimeOnly("org.junit.platform:junit-platform-launcher:1.11.4")
}

java {
    toolchain.languageVersion = JavaLanguageVersion.of(17)
}

tasks.test {
    useJUnitPlatform()
}
