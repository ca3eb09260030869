using System.ComponentModel.DataAnnotations;

namespace Platform.Api.Files;

/// <summary>Uploads. Section <c>Files</c>.</summary>
public sealed class FileOptions
{
    /// <summary>Longest upload, in bytes. Default 10 GiB; range 1 byte to 1 TiB.</summary>
    [Range(1L, 1L << 40)]
    public long MaxLength { get; set; } = 10L << 30;
}
