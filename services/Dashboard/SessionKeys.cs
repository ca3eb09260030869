using System.Xml.Linq;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.DataProtection.KeyManagement;
using Microsoft.AspNetCore.DataProtection.Repositories;

namespace Platform.Dashboard;

/// <summary>
/// Where the keys are kept that sign the cookies of sessions. With <c>Dashboard:SessionKeyFolder</c> they are kept in that folder, which all
/// instances share: sessions then outlive a restart and are valid on each instance. Default: in memory, so sessions end with the process.
/// </summary>
internal static class SessionKeys
{
    public static void AddSessionKeys(this WebApplicationBuilder builder)
    {
        var folder = builder.Configuration["Dashboard:SessionKeyFolder"];
        var keys = builder.Services.AddDataProtection().SetApplicationName("platform-dashboard");
        if (string.IsNullOrWhiteSpace(folder))
        {
            builder.Services.Configure<KeyManagementOptions>(options => options.XmlRepository = new InMemory());
        }
        else
        {
            keys.PersistKeysToFileSystem(new DirectoryInfo(folder));
        }
    }

    private sealed class InMemory : IXmlRepository
    {
        private readonly Lock gate = new();
        private readonly List<XElement> elements = [];

        public IReadOnlyCollection<XElement> GetAllElements()
        {
            lock (gate)
            {
                return [.. elements];
            }
        }

        public void StoreElement(XElement element, string friendlyName)
        {
            lock (gate)
            {
                elements.Add(element);
            }
        }
    }
}
