// An IDE that is played: this part of it does what its users see (EdgeTest).

package com.intellij.openapi.actionSystem;

public final class Presentation {
    public String text;
    public boolean isEnabled;

    public void setText(String text) {
        this.text = text;
    }

    public void setEnabled(boolean enabled) {
        isEnabled = enabled;
    }
}
