// The schema of the configuration, for JSON and YAML files of mirrord's: the IDE completes and checks by it.

package mirrord.ide;

import com.intellij.openapi.project.Project;
import com.intellij.openapi.vfs.VirtualFile;
import com.jetbrains.jsonSchema.extension.JsonSchemaFileProvider;
import com.jetbrains.jsonSchema.extension.JsonSchemaProviderFactory;
import com.jetbrains.jsonSchema.extension.SchemaType;
import com.jetbrains.jsonSchema.impl.JsonSchemaVersion;
import java.nio.file.Path;
import java.util.List;
import mirrord.editor.ConfigFiles;

public final class SchemaFactory implements JsonSchemaProviderFactory, JsonSchemaFileProvider {
    @Override
    public List<JsonSchemaFileProvider> getProviders(Project project) {
        return List.of(this);
    }

    @Override
    public boolean isAvailable(VirtualFile file) {
        return ConfigFiles.isConfig(Path.of(file.getPath()));
    }

    @Override
    public String getName() {
        return "mirrord";
    }

    @Override
    public VirtualFile getSchemaFile() {
        return JsonSchemaProviderFactory.getResourceFile(SchemaFactory.class, "/mirrord.schema.json");
    }

    @Override
    public SchemaType getSchemaType() {
        return SchemaType.embeddedSchema;
    }

    @Override
    public JsonSchemaVersion getSchemaVersion() {
        return JsonSchemaVersion.SCHEMA_7;
    }
}
